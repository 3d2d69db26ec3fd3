"""How a network learns, as generators that know nothing of files, screens or processes."""
