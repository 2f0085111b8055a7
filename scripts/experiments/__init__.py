"""What `scripts/chaos` and `scripts/bench` are made of: a load of tickets, faults, and counting what became of them."""
