"""What dvc.yaml calls: a file for each stage, which reads files and writes files."""
