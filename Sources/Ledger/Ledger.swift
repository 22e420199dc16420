// Sources of Ledger.
