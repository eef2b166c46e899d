"""What can be seen? A module per chapter: table in, matplotlib Figure out, and nothing else."""
