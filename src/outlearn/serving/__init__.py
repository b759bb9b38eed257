"""The service: jobs that read rows, a queue of what is worth a look, verdicts that act, and who did what.

It knows the pipeline and not the learners. `service.Service` stands behind the command line, the API, the
pages and the agents alike: whatever they do goes through it, under the roles of `access`, and into the audit.
"""
