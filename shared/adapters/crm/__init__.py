"""The CRM of one organization over HTTP (requests), as `crm-api.yaml` describes it.

`client` makes the requests, `refusals` turns what comes back into our errors.
"""

from shared.adapters.crm.client import CrmClient

__all__ = ["CrmClient"]
