"""One GAN a file. The folder is the registry: a file put here is in the studio."""
