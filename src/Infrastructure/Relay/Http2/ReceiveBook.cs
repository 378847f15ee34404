namespace SparkGateway.Infrastructure.Relay.Http2;

/// <summary>Told when bytes that were queued for a socket have been taken by it.</summary>
internal interface ITakenSink
{
    void Taken(int bytes);
}

/// <summary>
/// The window that we give a peer for its whole connection, hop by hop. Each byte of it is in one of three states, and
/// avail + pending + held = target: the peer may send it; it came and is held until the other socket takes it; it was
/// taken and is not credited yet. So what is held for a slow receiver never exceeds the target.
/// </summary>
internal sealed class ReceiveBook(int target) : ITakenSink
{
    private int available = Protocol.DefaultWindow;
    private int pending = target - Protocol.DefaultWindow;
    private int held;

    public int Available => available;

    public int Pending => pending;

    public int Held => held;

    public bool IsFull => held == 0 && available + pending == target;

    /// <summary>Bytes arrived and are held now. False: the peer overran its window.</summary>
    public bool Receive(int bytes)
    {
        available -= bytes;
        held += bytes;
        return available >= 0;
    }

    /// <summary>Held bytes are gone: taken by the other socket, or dropped.</summary>
    public void Taken(int bytes)
    {
        held -= bytes;
        pending += bytes;
    }

    /// <summary>
    /// The increment to send now, or 0. Due at half of what is not held, so that credit flows while bytes are held; and
    /// when less than one frame may be sent, so that a sender that waits for room for a whole frame never waits for ever.
    /// </summary>
    public int TakeCredit(int maxFrame)
    {
        if (pending == 0 || (pending < (target - held) / 2 && available >= maxFrame)) return 0;
        var credit = pending;
        pending = 0;
        available += credit;
        return credit;
    }
}
