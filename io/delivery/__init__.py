"""From waiting statements to an LRS that has taken them: batches, requests, retries, pace, circuits."""
