namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// A buffer of a queue, and whom to tell how many of its bytes were flow-controlled data when it has been sent.
/// Segments go round in a small cache of each thread, so that a busy relay allocates none and an idle one keeps few.
/// </summary>
internal sealed class Segment
{
    /// <summary>One read fills at most one segment: a full read becomes one write.</summary>
    public const int Size = 64 * 1024;

    private const int CachedPerThread = 16;

    [ThreadStatic]
    private static Stack<Segment>? cache;

    private (ITakenSink Sink, int Bytes)[] credits = new (ITakenSink, int)[2];
    private int creditCount;

    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(Size);

    public int Start { get; set; }

    public int End { get; set; }

    public Segment? Next { get; set; }

    public int Length => End - Start;

    public int Room => Size - End;

    /// <summary>Acknowledgements that end in it.</summary>
    public int Answers { get; set; }

    /// <summary>Flow-controlled bytes put in it.</summary>
    public int DataBytes { get; private set; }

    public static Segment Rent() => cache is { Count: > 0 } stack ? stack.Pop() : new Segment();

    public void Credit(ITakenSink sink, int bytes)
    {
        DataBytes += bytes;
        for (var i = 0; i < creditCount; i++)
        {
            if (!ReferenceEquals(credits[i].Sink, sink)) continue;
            credits[i].Bytes += bytes;
            return;
        }

        if (creditCount == credits.Length) Array.Resize(ref credits, credits.Length * 2);
        credits[creditCount++] = (sink, bytes);
    }

    /// <summary>Tells the sinks, and gives the segment back.</summary>
    public void Release()
    {
        for (var i = 0; i < creditCount; i++) credits[i].Sink.Taken(credits[i].Bytes);
        Array.Clear(credits, 0, creditCount);
        creditCount = 0;
        Start = End = Answers = DataBytes = 0;
        Next = null;
        cache ??= new Stack<Segment>(CachedPerThread);
        if (cache.Count < CachedPerThread) cache.Push(this);
    }
}
