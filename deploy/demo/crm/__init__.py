"""A simulated CRM for the demo and for tests: `crm-api.yaml` and signed webhooks."""
