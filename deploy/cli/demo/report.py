"""What the demo says once it is up: for programs one line, for people an invitation."""

import json
import shlex
import sys
from pathlib import Path

from deploy.cli.demo import organization
from deploy.cli.demo.addresses import Addresses
from deploy.cli.demo.home import Home


def line(home: Home, where: Addresses) -> str:
    """Return everything that a program needs, as JSON."""
    return json.dumps(
        {
            "receiver": where.receiver,
            "google": where.google,
            "crm": where.crm,
            "crm_api_key": home.kept.crm_api_key,
            "organization": organization.NAME,
            "admin_token": home.kept.admin_token,
            "users": home.kept.users,
        }
    )


def invitation(home: Home, where: Addresses, sign_in: str) -> str:
    """Return what people can open, and how to go on."""
    users = "\n".join(
        f"  {user['email']:<26}  {user['google_account']}"
        for user in home.kept.users or []
    )
    # In a checkout it is not in PATH.
    command = Path(sys.executable).with_name("calendar-sync")
    doctor = f"cd {shlex.quote(str(home.path))} && {shlex.quote(str(command))} doctor"
    return f"""
The demo is running; Ctrl-C stops it.

  CRM              {where.crm}/
  Google Calendar  {where.google}/
  calendar-sync    {sign_in}
                   (signs in an admin, once, within five minutes)

Create a meeting in the CRM and see it in its owner's Google Calendar a moment later;
edit it there, and see the CRM follow. These users are connected:

  {"in the CRM":<26}  in Google
{users}

Everything is kept in {home.path}. Commands that are run in there look at the demo:

  {doctor}
"""
