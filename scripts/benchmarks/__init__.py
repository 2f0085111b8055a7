"""`scripts/bench`: how fast, beside a floor of bare psycopg and pika where there is one."""
