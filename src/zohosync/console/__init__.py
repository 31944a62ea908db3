"""The console: what people see of the sync, and what they may do about it."""
