namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// Streams that we reset and whose driver may still be at work on them: they count as open. A driver's own end of the
/// stream confirms the reset. Spark often sends none, so time confirms it too, but only once the socket has taken it.
/// </summary>
internal sealed class ResetLinger
{
    private readonly HashSet<int> open = [];
    private readonly Queue<Entry> entries = [];

    public void Add(int stream, long until, long position)
    {
        open.Add(stream);
        entries.Enqueue(new Entry(stream, until, position));
    }

    public void Confirm(int stream) => open.Remove(stream);

    /// <param name="taken">How many bytes of the driver's output its socket has taken.</param>
    public int Count(long now, long taken)
    {
        while (entries.TryPeek(out var oldest) && (!open.Contains(oldest.Stream) || (oldest.Until <= now && oldest.Position <= taken)))
        {
            entries.Dequeue();
            open.Remove(oldest.Stream);
        }

        return open.Count;
    }

    /// <param name="Position">Where in the output its RST_STREAM ends.</param>
    private readonly record struct Entry(int Stream, long Until, long Position);
}
