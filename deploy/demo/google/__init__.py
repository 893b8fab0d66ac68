"""A simulated Google: Calendar API v3, push notifications, OAuth and a week view."""
