"""The app: Qwen-VL and Qwen2-VL side by side in a browser. Its folders are rings; README shows their order."""
