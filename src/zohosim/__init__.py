"""zohosim: a local Zoho to develop and test against."""
