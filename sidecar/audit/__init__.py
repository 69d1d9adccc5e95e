"""The audit trail: who did what, in an order that cannot be changed unnoticed."""
