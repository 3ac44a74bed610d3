"""Licences: what is declared, what it asks of derivatives, and where a lineage drops it."""
