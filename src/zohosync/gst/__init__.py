"""Goods and Services Tax of India: pure functions over Decimal, no input or output."""
