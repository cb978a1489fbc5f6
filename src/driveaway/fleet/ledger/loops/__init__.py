"""The ledger's loops, compiled to machine code."""
