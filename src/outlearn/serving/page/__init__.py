"""The pages of the service: made on the server, with forms that work without script.

::

    router → route: session · form with its token → parts of the service → view → template

The one script (`static/triage.js`) adds keys, live updates and verdicts without a new page; it sends the same
forms to the same addresses.
"""
