"""The domain of Unmask: one room per stage, in the order in which data flows. Knows no Prefect."""
