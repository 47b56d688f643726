"""Made-up photographs of digits on paper and boards, to measure with and to train on."""
