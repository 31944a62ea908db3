"""What zohosync costs and how fast it is, measured on this machine in one run."""
