"""Accepts webhooks, and serves the pages and the JSON API.

Never calls the CRM; of Google, only the OAuth endpoints.
"""
