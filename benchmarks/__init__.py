"""What was measured, and by which command: `python -m benchmarks.<name>` in the project."""
