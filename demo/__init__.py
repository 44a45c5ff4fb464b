"""The whole path on one machine: a camera or a clip, sentences, an alert, and the text message it would send."""
