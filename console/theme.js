// Applies the chosen colours before anything is painted. Without a choice the system's hold.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem('chatsync.theme');
  } catch {
    // Storage may be forbidden; the system's colours are fine then.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
}
