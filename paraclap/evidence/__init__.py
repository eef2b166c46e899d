"""What can be claimed, and what else can be asked: statistics, wordings, retrieval, probes."""
