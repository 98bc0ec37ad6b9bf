"""The resumable batch job: what is left to do, and where its rows are kept."""
