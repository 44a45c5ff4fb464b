"""Says the captioner's English sentences in Korean, by word lists and a small grammar, without any network."""
