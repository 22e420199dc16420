// Sources of Billing.
