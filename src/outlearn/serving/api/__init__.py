"""The HTTP API of the service: a route reads what came, calls one method of the service, and answers.

::

    headers → problems → latencies → route: who · role · body within its limit · idempotency key
        → method of the service → document
"""
