"""The ServiceNow app as a product: its sources and manifest become an update set and fix scripts, and are checked."""
