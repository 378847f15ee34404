namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>
/// A buffer of a queue, and whom to tell how many of its bytes were flow-controlled data when it has been sent.
/// Segments go round in a small cache of each thread, so that a busy relay allocates none and an idle one keeps few.
/// </summary>
internal sealed class Segment
{
    /// <summary>One read fills at most one segment: a full read becomes one write.</summary>
    public const int Size = 64 * 1024;

    /// <summary>What begins small stays small where the peer takes nothing: a few answers, or a greeting.</summary>
    public const int SmallSize = 2 * 1024;

    private const int CachedPerThread = 16;

    [ThreadStatic]
    private static Stack<Segment>? cache;

    [ThreadStatic]
    private static Stack<Segment>? smallCache;

    private (ITakenSink Sink, int Bytes)[] credits = new (ITakenSink, int)[2];
    private int creditCount;

    private Segment(int size) => Buffer = GC.AllocateUninitializedArray<byte>(size);

    public byte[] Buffer { get; }

    public bool IsSmall => Buffer.Length == SmallSize;

    /// <summary>The socket may be reading it: its bytes must stay where they are.</summary>
    public bool IsLent { get; set; }

    public int Start { get; set; }

    public int End { get; set; }

    public Segment? Next { get; set; }

    public int Length => End - Start;

    public int Room => Buffer.Length - End;

    /// <summary>Acknowledgements that end in it.</summary>
    public int Answers { get; set; }

    /// <summary>Flow-controlled bytes put in it.</summary>
    public int DataBytes { get; private set; }

    public static Segment Rent() => cache is { Count: > 0 } stack ? stack.Pop() : new Segment(Size);

    public static Segment RentSmall() => smallCache is { Count: > 0 } stack ? stack.Pop() : new Segment(SmallSize);

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

    /// <summary>Takes over what is left of another segment, and gives that one back.</summary>
    public void Adopt(Segment other)
    {
        other.Buffer.AsSpan(other.Start, other.Length).CopyTo(Buffer);
        (Start, End, Answers, DataBytes, Next) = (0, other.Length, other.Answers, other.DataBytes, other.Next);
        (credits, other.credits) = (other.credits, credits);
        (creditCount, other.creditCount) = (other.creditCount, 0);
        other.GiveBack();
    }

    /// <summary>Tells the sinks, and gives the segment back.</summary>
    public void Release()
    {
        for (var i = 0; i < creditCount; i++) credits[i].Sink.Taken(credits[i].Bytes);
        GiveBack();
    }

    private void GiveBack()
    {
        Array.Clear(credits, 0, creditCount);
        creditCount = 0;
        Start = End = Answers = DataBytes = 0;
        Next = null;
        IsLent = false;
        ref var home = ref IsSmall ? ref smallCache : ref cache;
        home ??= new Stack<Segment>(CachedPerThread);
        if (home.Count < CachedPerThread) home.Push(this);
    }
}
