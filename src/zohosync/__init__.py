"""zohosync keeps a Postgres storefront and Zoho in step."""
