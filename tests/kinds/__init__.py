"""Golden folders, documents and a capture to a plan: what both services do, case by case."""
