using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>A byte stream to a peer. One wait and one write at a time. Errors come as SocketException or IOException.</summary>
internal abstract class Link : IDisposable
{
    /// <summary>What <see cref="Read"/> answers when only a wait can tell.</summary>
    public const int NothingNow = -1;

    /// <summary>Waits until there is something to read, or the end; holds no buffer meanwhile. The number means nothing.</summary>
    public abstract ValueTask<int> WaitAsync();

    /// <summary>Reads what is there. 0: the end of the stream.</summary>
    public abstract int Read(Span<byte> buffer);

    public abstract ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes);

    public abstract void Dispose();
}

/// <summary>Plain TCP.</summary>
internal sealed class SocketLink : Link
{
    private readonly Socket socket;

    public SocketLink(Socket socket)
    {
        this.socket = socket;
        InlineCompletions.Prefer(socket);
    }

    public override ValueTask<int> WaitAsync() => socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, CancellationToken.None);

    public override int Read(Span<byte> buffer)
    {
        var count = socket.Receive(buffer, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => count,
            SocketError.WouldBlock => NothingNow,
            _ => throw new SocketException((int)error),
        };
    }

    /// <summary>A socket nearly always takes at once what a small call needs; then nothing is made for waiting.</summary>
    public override ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        var count = socket.Send(bytes.Span, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => ValueTask.FromResult(count),
            SocketError.WouldBlock => socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None),
            _ => throw new SocketException((int)error),
        };
    }

    public override void Dispose() => socket.Dispose();
}

/// <summary>TLS. What has come is known once it is decrypted, so the wait ends with a record in a rented buffer.</summary>
internal sealed class TlsLink(SslStream stream) : Link
{
    private const int RecordBytes = 16 * 1024;

    private byte[]? record;
    private int recordLength;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> WaitAsync()
    {
        _ = await stream.ReadAsync(Memory<byte>.Empty);
        record = ArrayPool<byte>.Shared.Rent(RecordBytes);
        return recordLength = await stream.ReadAsync(record);
    }

    public override int Read(Span<byte> buffer)
    {
        if (record is null) return NothingNow;
        record.AsSpan(0, recordLength).CopyTo(buffer);
        ArrayPool<byte>.Shared.Return(record);
        record = null;
        return recordLength;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes);
        return bytes.Length;
    }

    public override void Dispose() => stream.Dispose();
}
