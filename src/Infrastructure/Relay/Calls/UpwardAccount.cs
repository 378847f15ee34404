using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>Bytes of one client connection that its receive window no longer counts, because nobody can take them yet. Capped twice.</summary>
internal sealed class ParkedAccount(int most, ParkedTotal total)
{
    public int Bytes { get; private set; }

    public bool TryAdd(int bytes)
    {
        if (Bytes + bytes > most || !total.TryAdd(bytes)) return false;
        Bytes += bytes;
        return true;
    }

    public void Remove(int bytes)
    {
        Bytes -= bytes;
        total.Remove(bytes);
    }

    /// <summary>More bytes, or with a number below 0 fewer. False: above a cap, and nothing changed.</summary>
    public bool TryChange(int by)
    {
        if (by > 0) return TryAdd(by);
        Remove(-by);
        return true;
    }
}

/// <summary>
/// What one driver connection holds of its client's bytes: in the calls' queues and in the output. A driver that stops
/// reading must not close the client's connection window for the other drivers, so beyond its share its bytes are
/// credited to the client early, and count as parked instead.
/// </summary>
internal sealed class UpwardAccount(ReceiveBook clientBook, ParkedAccount parked) : ITakenSink
{
    private int credited;

    public int Held { get; private set; }

    /// <summary>What the clients of this driver may send beyond the windows that streams start with.</summary>
    public int ExtraGrants { get; set; }

    public void Hold(int bytes) => Held += bytes;

    /// <summary>Bytes that the client's window does not count, as of a parked call that is now this driver's.</summary>
    public void HoldParked(int bytes)
    {
        Held += bytes;
        credited += bytes;
    }

    /// <summary>
    /// Bytes of the relay's own behind those of the client, which the client's window does not count: held like bytes that
    /// were credited early. A number below 0 is bytes of the client that go no further. False: above a cap.
    /// </summary>
    public bool TryChange(int by)
    {
        if (by <= 0)
        {
            Taken(-by);
            return true;
        }

        if (!parked.TryAdd(by)) return false;
        HoldParked(by);
        return true;
    }

    public void Taken(int bytes)
    {
        var early = Math.Min(bytes, credited);
        credited -= early;
        Held -= bytes;
        parked.Remove(early);
        clientBook.Taken(bytes - early);
    }

    /// <summary>Bytes of a call that goes to another connection of the same client: neither taken nor credited by that.</summary>
    public void MoveTo(UpwardAccount other, int bytes)
    {
        var early = Math.Min(bytes, credited);
        credited -= early;
        Held -= bytes;
        other.credited += early;
        other.Held += bytes;
    }

    public void Relieve(int share)
    {
        var over = Held - credited - share;
        if (over <= 0 || !parked.TryAdd(over)) return;
        credited += over;
        clientBook.Taken(over);
    }
}
