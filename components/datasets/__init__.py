"""What is known of where videos lie: layouts of datasets, manifests and scans."""
