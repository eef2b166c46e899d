"""The book: its parameters, its chapters executed, its pages, and source shown to the reader."""

from paraclap.book.show import show as show
