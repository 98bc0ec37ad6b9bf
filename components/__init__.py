"""The domain of Unmask, from the stages at the top to decoding at the ground. Knows no Prefect."""
