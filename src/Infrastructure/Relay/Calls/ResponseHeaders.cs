using System.Buffers.Text;
using SparkGateway.Infrastructure.Relay.Http2;

namespace SparkGateway.Infrastructure.Relay.Calls;

/// <summary>What the relay reads of a driver's header blocks, which it passes on as they are.</summary>
internal sealed class ResponseHeaders : IHeaderSink
{
    private bool isBroken;
    private bool sawRegular;
    private int statuses;

    /// <summary>-1: none.</summary>
    public int GrpcStatus { get; private set; }

    /// <summary>1xx: the response itself follows.</summary>
    public bool IsInformational { get; private set; }

    /// <summary>A response has one :status, before all else; trailers have none.</summary>
    public bool IsMalformed(bool isTrailers) => isBroken || statuses != (isTrailers ? 0 : 1);

    public void Begin()
    {
        isBroken = sawRegular = IsInformational = false;
        statuses = 0;
        GrpcStatus = -1;
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isNeverIndexed)
    {
        if (!FieldRules.IsValid(name, value) || FieldRules.IsOfConnection(name))
        {
            isBroken = true;
        }
        else if (FieldRules.IsPseudo(name))
        {
            isBroken |= sawRegular || !name.SequenceEqual(":status"u8) || value.Length != 3;
            IsInformational = value.Length == 3 && value[0] == '1';
            statuses++;
        }
        else
        {
            sawRegular = true;
            if (name.SequenceEqual("grpc-status"u8) && Utf8Parser.TryParse(value, out int status, out _)) GrpcStatus = status;
        }
    }
}
