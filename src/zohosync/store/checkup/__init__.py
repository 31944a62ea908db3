"""What doctor reads of the database: facts only; what they mean is judged in sync/doctor."""
