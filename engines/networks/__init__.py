"""The networks: backbone, AR, FM, codec, text encoder, and the lanes as they see them."""
