"""From waiting statements to an LRS that has accepted them: batches, requests, retries, pace, circuits."""
