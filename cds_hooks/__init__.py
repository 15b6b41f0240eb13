"""The web process: CDS Hooks requests in, cards out."""
