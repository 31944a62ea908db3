"""Whether everything is right: facts are read, judged in plain sentences, and printed by somebody else."""
