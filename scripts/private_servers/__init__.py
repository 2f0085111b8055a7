"""
PostgreSQL and RabbitMQ for tests, chaos and benchmarks: found where they run, else private ones started from installed binaries.

`postgres.acquire()` and `rabbitmq.acquire()` give a server; `server.fresh_url()` gives an empty database or virtual host of one's
own on it, `server.forget(url)` removes it. Only private servers may be stopped or restarted.
"""
