using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// The header of the PROXY protocol, version 2: whom a proxy has accepted, told before the connection's first byte. Pure.
/// Of TLVs, which may follow the addresses, none is of use here.
/// </summary>
/// <param name="Needed">So many bytes it has, as far as it can be told; it is whole when that many were given.</param>
/// <param name="Client">Null: the proxy speaks for itself (health checks), or does not know.</param>
/// <param name="Refusal">Why it is none.</param>
internal readonly record struct ProxyHeader(int Needed, IPEndPoint? Client = null, string? Refusal = null)
{
    /// <summary>What the protocol's authors ask a receiver to take: 16, and 520 of addresses and TLVs.</summary>
    public const int MaxBytes = 536;

    public const string IsVersion1 = "PROXY protocol version 1 where version 2 is expected";
    public const string IsMissing = "no PROXY protocol header from a trusted proxy";
    public const string IsBad = "a PROXY protocol header that is malformed";
    public const string IsTooLong = "a PROXY protocol header of more than 536 bytes";
    public const string IsNotTcp = "a PROXY protocol header for something else than TCP";

    private const int FixedBytes = 16;
    private const int Version2Local = 0x20;
    private const int Version2Proxy = 0x21;
    private const int Unspecified = 0x00;
    private const int TcpOverIPv4 = 0x11;
    private const int TcpOverIPv6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static ProxyHeader Read(ReadOnlySpan<byte> bytes)
    {
        var seen = Math.Min(bytes.Length, Signature.Length);
        if (!bytes[..seen].SequenceEqual(Signature[..seen])) return Refuse(bytes.StartsWith("PROXY "u8) ? IsVersion1 : IsMissing);
        if (bytes.Length < FixedBytes) return new ProxyHeader(FixedBytes);

        var (command, family) = (bytes[12], bytes[13]);
        var needed = FixedBytes + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (command is not (Version2Local or Version2Proxy)) return Refuse(IsBad);
        if (needed > MaxBytes) return Refuse(IsTooLong);
        if (bytes.Length < needed) return new ProxyHeader(needed);

        var body = bytes[FixedBytes..needed];
        if (command == Version2Local || family == Unspecified) return new ProxyHeader(needed);
        return family switch
        {
            TcpOverIPv4 => Source(needed, body, addressBytes: 4),
            TcpOverIPv6 => Source(needed, body, addressBytes: 16),
            _ => Refuse(IsNotTcp),
        };
    }

    /// <summary>Reads a connection's header and not one byte more. Null: the peer left without a word, as probes do.</summary>
    public static async Task<ProxyHeader?> ReceiveAsync(Socket socket, CancellationToken limit)
    {
        var buffer = new byte[FixedBytes];
        for (var have = 0; ;)
        {
            var header = Read(buffer.AsSpan(0, have));
            if (header.Refusal is not null || header.Needed == have) return header;
            if (header.Needed > buffer.Length) Array.Resize(ref buffer, header.Needed);
            var count = await socket.ReceiveAsync(buffer.AsMemory(have, header.Needed - have), SocketFlags.None, limit);
            if (count == 0) return have == 0 ? null : Refuse(IsBad);
            have += count;
        }
    }

    /// <summary>Two addresses, then two ports: the source's, which is the client, and the destination's.</summary>
    private static ProxyHeader Source(int needed, ReadOnlySpan<byte> body, int addressBytes) =>
        body.Length < (2 * addressBytes) + 4
            ? Refuse(IsBad)
            : new ProxyHeader(needed, new IPEndPoint(new IPAddress(body[..addressBytes]), BinaryPrimitives.ReadUInt16BigEndian(body[(2 * addressBytes)..])));

    private static ProxyHeader Refuse(string why) => new(0, null, why);
}
