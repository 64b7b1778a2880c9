"""The records of many cells in the plant's PostgreSQL, their scans in its store; see README.md.

records, labels ─▶ feed ─▶ sending ─▶ PostgreSQL ─▶ reading ─▶ search, shift
archive ─▶ scans ─▶ S3                     └─▶ verifying, standing
"""
