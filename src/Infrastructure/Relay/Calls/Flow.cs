using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>
/// Moves a call's data both ways under four windows, by one rule for each direction: the sender is granted what the
/// receiver allows, less what is held here for it, less what the sender may still send. Below zero nothing is granted.
/// </summary>
internal static class Flow
{
    /// <summary>A grant below this is not worth a frame while more is wanted: it waits until the bound opens further.</summary>
    private const int SmallestPartialGrant = 16 * 1024;

    /// <summary>How much one call may send before the next in the ring has its turn.</summary>
    private const int Turn = 64 * 1024;

    /// <summary>Request data of an open driver stream. The bytes count as held for the driver already.</summary>
    public static void Up(RelayedCall call, ReadOnlySpan<byte> bytes, bool end)
    {
        var driver = call.Driver!;
        if (call.Up.IsEmpty && call.DriverStream != 0)
        {
            var sendable = Math.Min(bytes.Length, Math.Min(call.DriverSendWindow, driver.SendWindow));
            if (sendable > 0 || (end && bytes.IsEmpty))
            {
                driver.SendData(call, bytes[..Math.Max(0, sendable)], end && sendable >= bytes.Length);
                bytes = bytes[Math.Max(0, sendable)..];
                if (bytes.IsEmpty) return;
            }
        }

        call.Up.Append(bytes);
        call.DriverSideEnded |= end;
        driver.QueueUp(call);
    }

    /// <summary>Sends held request data, one turn at most; true if more can follow without a word from the driver about this stream.</summary>
    public static bool PumpUp(RelayedCall call)
    {
        var driver = call.Driver!;
        if (call.DriverStream == 0) return false;
        for (var sent = 0; !call.Up.IsEmpty && sent < Turn;)
        {
            var room = Math.Min(call.DriverSendWindow, driver.SendWindow);
            if (room <= 0) return call.DriverSendWindow > 0;
            var bytes = call.Up.Peek(room);
            driver.SendData(call, bytes, call.DriverSideEnded && bytes.Length == call.Up.Length);
            call.Up.Consume(bytes.Length);
            sent += bytes.Length;
        }

        return !call.Up.IsEmpty;
    }

    public static void GrantUp(ClientConnection client, RelayedCall call)
    {
        // Also behind the response's end: the driver may still want the rest of the request.
        if (call.State != CallState.Forwarding || call.ClientEnded || call.DriverStream == 0) return;
        var driver = call.Driver!;
        if (!driver.HasPeerSettings) return;
        var want = call.DriverSendWindow - call.Up.Length - call.ClientReceiveWindow;
        if (want <= 0) return;
        var grant = Math.Min(want, driver.UpwardRoom);
        if (grant < want && grant < SmallestPartialGrant)
        {
            driver.Withhold(call);
            return;
        }

        driver.ChangeClientReceiveWindow(call, grant);
        client.Output.WriteWindowUpdate(call.ClientStream, grant);
        if (grant < want) driver.Withhold(call);
    }

    /// <summary>Response data. The bytes count as held in <paramref name="source"/> until the client's socket takes them.</summary>
    public static void Down(ClientConnection client, RelayedCall call, ReadOnlySpan<byte> bytes, bool end, ITakenSink source)
    {
        if (call.Down.IsEmpty && !call.HoldsResponse)
        {
            var sendable = Math.Min(bytes.Length, Math.Min(call.ClientSendWindow, client.SendWindow));
            if (sendable > 0 || (end && bytes.IsEmpty))
            {
                client.SendData(call, bytes[..Math.Max(0, sendable)], end && sendable >= bytes.Length, source);
                bytes = bytes[Math.Max(0, sendable)..];
            }

            if (bytes.IsEmpty) return;
        }

        call.Down.Append(bytes);
        call.DownEnds |= end;
        client.QueueDown(call);
    }

    /// <summary>Sends held response data, one turn at most, and then what ends it; true if more can follow without a word from the client about this stream.</summary>
    public static bool PumpDown(ClientConnection client, RelayedCall call)
    {
        if (call.HoldsResponse || call.ClientSideEnded) return false;
        for (var sent = 0; !call.Down.IsEmpty && sent < Turn;)
        {
            var room = Math.Min(call.ClientSendWindow, client.SendWindow);
            if (room <= 0) return call.ClientSendWindow > 0;
            var bytes = call.Down.Peek(room);
            client.SendData(call, bytes, call.DownEnds && bytes.Length == call.Down.Length, (ITakenSink?)call.Driver?.Book ?? NoSink.Instance);
            call.Down.Consume(bytes.Length);
            sent += bytes.Length;
        }

        if (!call.Down.IsEmpty) return true;
        client.SendHeldEnd(call);
        return false;
    }

    public static void GrantDown(RelayedCall call)
    {
        if (call.State != CallState.Forwarding || call.DriverEnded || call.DriverStream == 0 || call.ClientSideEnded) return;
        var grant = call.ClientSendWindow - call.Down.Length - call.DriverReceiveWindow;
        if (grant <= 0) return;
        call.DriverReceiveWindow += grant;
        call.Driver!.Output.WriteWindowUpdate(call.DriverStream, grant);
    }

    /// <summary>For bytes of the relay's own, which no peer's window counts.</summary>
    internal sealed class NoSink : ITakenSink
    {
        public static readonly NoSink Instance = new();

        public void Taken(int bytes)
        {
        }
    }
}
